"""What can be checked of an answer without a judge: results against each other, programs by running them."""

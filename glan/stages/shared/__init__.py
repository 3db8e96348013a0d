"""What several stages need: how requests and keys are made, how a unit is made, how questions are read."""

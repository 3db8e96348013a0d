"""Looking after a store: is it whole, are its objects few and large, and what of it is no longer needed."""

"""`penstock sessions` and `penstock identities`: who is logged in, and an end to it."""

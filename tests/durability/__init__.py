"""What commands leave when they are killed."""

"""What runs in the district: takes batches from the broker into the store."""

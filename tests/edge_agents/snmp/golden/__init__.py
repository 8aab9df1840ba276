"""What the profiles yield of recorded devices, in short; README.md says more."""

"""Configurations that the district pushes: taken, tried, kept, or given back."""

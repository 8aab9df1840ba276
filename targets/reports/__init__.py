"""Reports of a period: in JSON, and as documents for people in two languages."""

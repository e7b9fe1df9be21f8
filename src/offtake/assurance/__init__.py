"""Is the bill right? What the vendor asks against what the contract gives, dollar by dollar."""

"""Is a group, or a whole curve, U-shaped beyond what sorting and noise produce?"""

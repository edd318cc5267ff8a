"""Speed and memory side by side with others, as ratios within one run. Not part of the distribution."""

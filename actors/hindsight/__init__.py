"""What would have been: the past decided again by the moves of the living engine. Reads only."""

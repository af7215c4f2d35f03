"""Start a load generator, watch it, and say how its load ended. The verdict is not its business."""

"""One module for each route, and the bodies that they take and give."""

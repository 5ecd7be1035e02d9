"""Static files for caches: names with a hash of the content, compressed copies, and the folder of a build."""

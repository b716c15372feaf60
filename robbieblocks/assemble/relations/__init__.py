"""What pages take from other pages: the blocks of frames, lists of pages, and their own data."""

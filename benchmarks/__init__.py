"""Measures RobbieBlocks as its users meet it: whole commands, a running worker, real peers."""

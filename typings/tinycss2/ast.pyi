# A node's kind is in its `type` attribute, by which no checker can narrow the published stubs'
# one Node class. What matters is checked where a node is read.
from typing import Any

def __getattr__(name: str) -> Any: ...

"""The one comment of a pull request on GitHub that says what the change does.

`say` creates, updates or leaves it, by what it is to say; `marked` makes a text one that is found
again. Everything is done by GitHub's REST API with the token of the environment, which is in no
message.
"""

from robbieblocks.pull_request.comments import MOST_CHARACTERS, State, marked
from robbieblocks.pull_request.given import PullRequest
from robbieblocks.pull_request.saying import say

__all__ = ["MOST_CHARACTERS", "PullRequest", "State", "marked", "say"]

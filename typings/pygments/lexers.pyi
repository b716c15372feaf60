from collections.abc import Iterator

from pygments.token import TokenType

class Lexer:
    def get_tokens(self, text: str) -> Iterator[tuple[TokenType, str]]: ...

def get_lexer_by_name(alias: str, *, stripnl: bool = ...) -> Lexer: ...

class TokenType:
    parent: TokenType | None
    def __getattr__(self, name: str) -> TokenType: ...

Comment: TokenType
Generic: TokenType
Keyword: TokenType
Literal: TokenType
Name: TokenType
Operator: TokenType

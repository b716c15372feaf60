from robbieblocks.model import ComponentRow
from robbieblocks.errors import Problem


def scoped(row: ComponentRow) -> tuple[str, list[Problem]]:
    return "", []

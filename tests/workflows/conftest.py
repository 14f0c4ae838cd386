from workflows.stage import stage

__all__ = ["stage"]

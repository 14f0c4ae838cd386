from definitions.cards import builder, kind_of_card, stock

__all__ = ["builder", "kind_of_card", "stock"]

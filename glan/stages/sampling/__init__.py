"""How questions are drawn: decks of concept sets, how many they hold, and the kinds that are dealt to them."""

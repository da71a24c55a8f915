"""`mtquant risk`: limits shown, a hypothetical order explained, a backtest with other limits."""

"""What sales say of a lead and an offer: app.acompanhamento, one row more for every change."""

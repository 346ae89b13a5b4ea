"""Daily affairs: suggestion, payment exception, application, service booking, and what else a person must do."""

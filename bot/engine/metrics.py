"""What operations count. One registry for the process, served at `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("frontdesk_messages_total", "Messages by channel and what became of them", ["channel", "outcome"])
BATCH = Histogram("frontdesk_batch_messages", "Messages in one batch", buckets=(1, 2, 4, 8, 16, 32, 64))
REFUSED = Counter("frontdesk_webhooks_refused_total", "Webhook requests not taken", ["channel", "reason"])
SENT = Counter("frontdesk_sent_total", "Outbox rows by channel and result of the attempt", ["channel", "result"])
TIMERS = Counter("frontdesk_timers_total", "Timers run", ["kind"])
QUEUED = Gauge("frontdesk_outbox_queued", "Outbox rows waiting to be sent")
READ_BEFORE = Gauge("frontdesk_reading_cache_share", "Share of the texts that were read before, since the start")
MODEL = Gauge("frontdesk_reading_model", "Number of the trained model that reads; 0: the one that ships")
LANGUAGE_MODEL = Counter(
    "frontdesk_language_model_total", "What came of asking the language model, by task", ["task", "result"]
)
LANGUAGE_MODEL_SECONDS = Histogram(
    "frontdesk_language_model_seconds", "How long the language model took, where it was asked",
    buckets=(0.25, 0.5, 1, 2, 3, 4, 6, 10, 20),
)  # fmt: skip
CORRECTIONS = Gauge("frontdesk_corrections_open", "Corrections of staff that nobody has decided on")

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
CORRECTIONS = Gauge("frontdesk_corrections_open", "Corrections of staff that nobody has decided on")

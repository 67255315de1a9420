"""HubSpot's words: portal, wire models, batches, failures, versions."""

"""Telephony providers: one pure codec, one answer document, one signature each."""

package org.bicross.client;

import java.net.http.HttpHeaders;

/** A whole answer, read within its cap. */
record HttpAnswer(int status, HttpHeaders headers, byte[] body) {
    private static final long LONGEST_WAIT_S = 60;

    /** What {@code Retry-After} asks for in milliseconds; 0 where it is absent or a date. */
    long retryAfterMs() {
        String value = headers.firstValue("retry-after").orElse("");
        return value.matches("\\d{1,5}") ? 1_000 * Math.min(LONGEST_WAIT_S, Long.parseLong(value)) : 0;
    }

    boolean isEncoded() {
        return headers.firstValue("content-encoding")
                .filter(encoding -> encoding.equals("identity") == false)
                .isPresent();
    }
}

// SPDX-License-Identifier: Apache-2.0
//
// Reasons of host-proxy/: the daemon's configuration and its surroundings.
// What goes wrong on the channel itself is in proxy/reasons.h.
#pragma once

#include "base/reasons.h"

#define FORELOCK_HOST_PROXY_REASONS(X)                                       \
  X(kConfigUnreadable, 'H', 'P', 1, "the configuration file cannot be read", \
    "Check --config, and the file's owner and mode.")                        \
  X(kConfigSyntax, 'H', 'P', 2, "the configuration file is not valid TOML",  \
    "The message has the line and the column.")                              \
  X(kConfigUnknownKey, 'H', 'P', 3, "the configuration has an unknown key",  \
    "A misspelt key would be ignored silently; correct or remove it.")       \
  X(kConfigValue, 'H', 'P', 4,                                               \
    "a value in the configuration is missing or wrong",                      \
    "The message says what is expected, and where.")                         \
  X(kSocketUnusable, 'H', 'P', 5, "a VM's socket cannot be listened on",     \
    "Does its folder exist, is a daemon running already, is something else " \
    "than a socket in its place?")                                           \
  X(kCertificatesUnusable, 'H', 'P', 6,                                      \
    "the certificates folder cannot be used for this chip",                  \
    "forelock roots prepare makes the file that it names, of at most 12 "    \
    "KiB; the guest goes on without.")                                       \
  X(kEndpointNotResolved, 'H', 'P', 7, "an endpoint's host has no address",  \
    "Check the name in the configuration and the host's resolver.")          \
  X(kEndpointNotConnected, 'H', 'P', 8, "an endpoint does not accept",       \
    "Is the verifier running, and does a firewall let the proxy through?")   \
  X(kEndpointDeadline, 'H', 'P', 9,                                          \
    "an endpoint did not answer before the connect deadline",                \
    "Raise connect_timeout_ms, or look after the network.")

namespace host_proxy {
FORELOCK_HOST_PROXY_REASONS(BASE_DEFINE_REASON)
}  // namespace host_proxy

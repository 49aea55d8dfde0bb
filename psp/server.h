// SPDX-License-Identifier: Apache-2.0
//
// The socket that QEMU's chardev connects to, and the loop around a
// FirmwareService. One VM, one connection at a time: a new one replaces the
// old.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "hosted/log.h"
#include "psp/service.h"

namespace psp {

// Listens on `socket_path` (replacing a socket that is there) and serves until
// SIGTERM or SIGINT. `log` says "listening on PATH" once QEMU may connect.
absl::Status Serve(const std::string& socket_path, FirmwareService& service,
                   hosted::Log& log);

}  // namespace psp

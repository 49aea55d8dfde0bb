// SPDX-License-Identifier: Apache-2.0
//
// FirmwareService: the emulated secure processor at the end of one VM's second
// page channel (design section 6; messages in proto/channel.proto).
//
// Not tied to sockets: give it the bytes that QEMU's chardev sends. What the
// guest does wrong ends its session, never the service.
#pragma once

#include <stdint.h>

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/result.h"
#include "proxy/frame.h"
#include "proxy/host/page_endpoint.h"
#include "psp/fault.h"
#include "psp/firmware.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "sev/page_info.h"

namespace psp {

class FirmwareService {
 public:
  struct Options {
    std::string ram_path;
    uint64_t generation = 1;  // Not 0; differs between runs.
    Fault fault = Fault::kNone;
    PlatformConfig platform;
    // The launch digest of what runs now; asked for at each start of the VM.
    std::function<absl::StatusOr<sev::LaunchDigest>()> measure;
    // Told at each start of the VM. For tests that search memory for the key.
    std::function<absl::Status(const sev::Vmpck&)> on_vmpck0;
    std::function<void(std::string_view)> log;
  };

  // `hierarchy` outlives it.
  FirmwareService(const Hierarchy& hierarchy, Options options);

  enum class Next : uint8_t {
    kSleep,  // Until bytes come from QEMU, or for as long as attached() says.
    kAgain,  // There is more: look at the other events, then Serve() again.
    kPoll,   // The guest does not read: call Serve() again soon.
    kClose,  // Close QEMU's connection (a fault).
  };
  // QEMU made a new connection: a VM starts, and may attach once. Whoever
  // registers later on the same connection is refused, as it may be the system
  // that the SVSM handed over to: it must not get a key that speaks for VMPL0.
  void Connected();
  Next Feed(base::Bytes from_qemu);
  Next Serve();
  // A guest's page is served: Serve() it every kLookAgain at the latest.
  bool attached() const { return endpoint_.attached(); }

 private:
  Next ServeFrames();
  base::Status Handle(const proxy::Frame& frame);
  base::Status Attach();
  base::Status Request(base::Bytes body);
  void Log(std::string_view text) const;

  Options options_;
  Firmware firmware_;
  bool may_attach_ = false;
  bool launched_ = false;
  bool close_ = false;
  uint64_t requests_ = 0;
  proxy::host::PageEndpoint endpoint_;
};

}  // namespace psp

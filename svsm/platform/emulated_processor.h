// SPDX-License-Identifier: Apache-2.0
//
// EmulatedProcessor: the secure processor of the emulated platform, reached by
// frames over the second page channel (proto/channel.proto, "The second
// channel"). It gives what SNP gives by other means: the secrets page once, and
// guest requests. What it says is worth as much as the host, and says so in the
// report's key hierarchy.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "proto/channel.h"
#include "proxy/frame_link.h"
#include "sev/secrets_page.h"
#include "svsm/platform/guest_request/guest_request.h"

namespace svsm {

// 60 KiB: static storage.
class EmulatedProcessor final : public GuestRequestDoorbell {
 public:
  // Both outlive it.
  EmulatedProcessor(proxy::GuestPageTransport& transport, base::Clock& clock)
      // Its keys come once a connection, so there is no other session to try:
      // only the deadlines end a wait.
      : link_(transport, clock, proxy::kAnySilence) {}

  // Registers, copies the secrets page once and takes VMPCK0 out of the copy,
  // which is then wiped. (The frame's buffer is overwritten by the next answer,
  // the shared range by Close(); both belong to the emulation.)
  //   kDeadlineExceeded (kProcessorAbsent): nobody answers.
  //   kProcessorChannel: no doorbell, or the channel broke.
  //   kDataLoss: the answer is malformed, or holds no key.
  base::Result<sev::Vmpck> Attach(base::Instant deadline);

  base::Result<uint64_t> Exchange(sev::ConstMessagePage request,
                                  sev::MessagePage response,
                                  base::Instant deadline) override;

  // Has the host let go of the shared range, and empties it.
  void Close(base::Instant deadline);

 private:
  base::Result<sev::Vmpck> ReceiveSecrets(base::Instant deadline);

  proxy::FrameLink link_;
  proto::channel::Arena arena_;
};

}  // namespace svsm

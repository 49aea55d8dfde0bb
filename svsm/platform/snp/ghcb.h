// SPDX-License-Identifier: Apache-2.0
//
// Ghcb: requests to the hypervisor by the GHCB page.
//
// The page is shared: everything in it is the host's word, and may change while
// it is read. So each request sets only the fields that it needs and marks
// them valid; of the answer each field is read once, and only if it proves that
// the host wrote it: a non-zero SW_EXITINFO1 of the request is gone, a register
// that was asked for is marked valid, which the request did not.
//
// Spec: [ghcb] 3 and 4.1. One request at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>

#include "base/result.h"
#include "proxy/shared_range.h"
#include "svsm/platform/guest_request_exit.h"
#include "svsm/platform/snp/vmgexit.h"

namespace svsm {

class Ghcb final : public GuestRequestExit {
 public:
  // `page` is the GHCB: 4 KiB, shared, zero and registered with the host before
  // the first request.
  Ghcb(VmgExit& exit, const proxy::SharedRange& page)
      : exit_(exit), page_(page) {}

  struct Call {
    uint64_t code = 0;
    uint64_t info_1 = 0;
    uint64_t info_2 = 0;
    std::optional<uint64_t> rax, rbx, rcx, rdx, scratch;
  };
  struct Reply {
    uint64_t info_1 = 0;
    uint64_t info_2 = 0;
    std::optional<uint64_t> rax, rbx, rdx;  // those marked valid
  };

  // The three below, and all that use them:
  //   kInternal (kGhcbBusy): another request is under way.
  //   kDataLoss: kGhcbUnanswered, kGhcbException, kGhcbUnknownResult.
  //   kUnavailable (kGhcbRefused).

  // `size` is 1, 2 or 4 bytes.
  base::Result<uint32_t> In(uint16_t port, unsigned size);
  base::Status Out(uint16_t port, unsigned size, uint32_t value);
  base::Result<uint64_t> ReadMsr(uint32_t msr);
  base::Status WriteMsr(uint32_t msr, uint64_t value);

  base::Result<Answer> GuestRequest(uint64_t request,
                                    uint64_t response) override;
  base::Result<Answer> ExtendedGuestRequest(uint64_t request, uint64_t response,
                                            uint64_t certificates,
                                            uint64_t pages) override;

  // Any request. The reply's result is kExitResultOk.
  base::Result<Reply> Exit(const Call& call);

  // For structures in the shared buffer of the page, and what points there.
  const proxy::SharedRange& page() const { return page_; }

 private:
  base::Result<Reply> Exchange(const Call& call);
  base::Result<Answer> SendGuestRequest(const Call& call);

  VmgExit& exit_;
  proxy::SharedRange page_;
  bool busy_ = false;
};

}  // namespace svsm

// SPDX-License-Identifier: Apache-2.0
//
// SnpProcessor: the secure processor of the snp platform, reached by guest
// requests through the hypervisor (GHCB).
//
// Spec: AMD 56421 (GHCB) rev. 2.03, 4.1.7 and 4.1.8. It asks with the extended
// request, which may bring the certificates of the report's key along: they
// serve where the proxy has none, and prove nothing by themselves.
// A host that has none, or not this request, gets the plain one with the same
// bytes: whatever the host says, one message leaves under one number, and no
// certificate keeps a guest from its report.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proxy/shared_range.h"
#include "sev/cert_table.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/guest_request_exit.h"

namespace svsm {

// 40 KiB: static storage.
class SnpProcessor final : public GuestRequestDoorbell {
 public:
  static constexpr uint32_t kPage = 4096;
  // VCEK, ASK and ARK as PEM take two; hosts round up, and add revocation
  // lists.
  static constexpr uint32_t kFirstCertificatePages = 4;
  static constexpr uint32_t kMaxCertificatePages = 8;
  // The shared memory it needs: request, response, certificates.
  static constexpr uint32_t kSharedSize = (2 + kMaxCertificatePages) * kPage;

  // `shared` is kSharedSize bytes that host and guest can write; both outlive
  // the processor.
  SnpProcessor(GuestRequestExit& exit, const proxy::SharedRange& shared);

  // As GuestRequestDoorbell says. An answer that the host refused is
  // kUnavailable (kHostRefused).
  base::Result<uint64_t> Exchange(sev::ConstMessagePage request,
                                  sev::MessagePage response,
                                  base::Instant deadline) override;

  // The certificate table that came with the last answer, if it holds one for
  // `signing_key`: that certificate and those above it, written to `out` as a
  // table again. Returns its size; 0: there is none, or it does not fit.
  size_t Certificates(sev::SigningKey signing_key,
                      base::MutableBytes out) const;

 private:
  base::Result<GuestRequestExit::Answer> RingExtended(
      sev::ConstMessagePage request);
  base::Result<GuestRequestExit::Answer> RingPlain(
      sev::ConstMessagePage request);
  void Place(sev::ConstMessagePage request);
  void TakeCertificates();

  GuestRequestExit& exit_;
  proxy::SharedRange shared_;
  uint32_t certificate_pages_ = kFirstCertificatePages;
  bool extended_ = true;  // until the host shows that it has no such request
  size_t table_size_ = 0;
  std::array<uint8_t, size_t{kMaxCertificatePages} * kPage> table_{};
};

}  // namespace svsm

// SPDX-License-Identifier: Apache-2.0
//
// GuestRequestDriver: attestation reports from the secure processor, by
// messages that VMPCK0 protects.
//
// Spec: AMD 56860 (SEV-SNP Firmware ABI) rev. 1.58, SNP_GUEST_REQUEST and
// MSG_REPORT_REQ; AMD 56421 (GHCB) rev. 2.03, 4.1.7 for SW_EXITINFO2.
// The same code on hardware and on the emulated platform: only the doorbell
// differs. Rules, each tested against the emulated firmware:
//   * a sequence number is spent as soon as a ciphertext exists under it;
//   * the only retry is the same bytes, when the host says busy, to a deadline:
//     another ciphertext under that number would repeat an IV;
//   * the driver reads private memory only: a doorbell copies the answer out of
//     the shared page once;
//   * what comes back is compared with what was asked for;
//   * anything else destroys the key: there is no second report by luck.
#pragma once

#include <stdint.h>

#include <array>
#include <span>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "crypto/aes_gcm.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "sev/secrets_page.h"

namespace svsm {

// How one guest request reaches the secure processor: the GHCB page on SNP, the
// second page channel on the emulated platform.
class GuestRequestDoorbell {
 public:
  // Hands `request` over, waits for the answer and returns SW_EXITINFO2. Both
  // pages are private memory. The doorbell clears the shared page that the host
  // answers in before it rings, and copies that page into `response` once; it
  // leaves `response` alone unless SW_EXITINFO2 is 0.
  //   Any error: the request may or may not have been seen.
  virtual base::Result<uint64_t> Exchange(sev::ConstMessagePage request,
                                          sev::MessagePage response,
                                          base::Instant deadline) = 0;

 protected:
  GuestRequestDoorbell() = default;
  ~GuestRequestDoorbell() = default;
  GuestRequestDoorbell(const GuestRequestDoorbell&) = delete;
  GuestRequestDoorbell& operator=(const GuestRequestDoorbell&) = delete;
};

// Proof that VMPCK0 and its key schedule are gone. leave() wants one before it
// starts a kernel, and only GuestRequestDriver::Destroy() makes it.
class [[nodiscard]] VmpckDestroyed {
 public:
  VmpckDestroyed(VmpckDestroyed&&) = default;
  VmpckDestroyed& operator=(VmpckDestroyed&&) = default;

 private:
  friend class GuestRequestDriver;
  VmpckDestroyed() = default;
};

class GuestRequestDriver {
 public:
  // Owns `vmpck0` from here on; `doorbell` and `clock` outlive the driver.
  // `timeout` bounds each GetReport().
  GuestRequestDriver(sev::Vmpck vmpck0, GuestRequestDoorbell& doorbell,
                     base::Clock& clock, base::Milliseconds timeout)
      : vmpck0_(std::move(vmpck0)),
        doorbell_(doorbell),
        clock_(clock),
        timeout_(timeout) {}
  ~GuestRequestDriver() { Wipe(); }
  GuestRequestDriver(const GuestRequestDriver&) = delete;
  GuestRequestDriver& operator=(const GuestRequestDriver&) = delete;

  // A report for VMPL 0 over `report_data`, as the secure processor signed it.
  // Every failure destroys the key.
  //   kFailedPrecondition (kVmpckGone): an earlier failure, or no key at all.
  //   kDeadlineExceeded: busy or silent until the timeout.
  //   kUnavailable: the host or the firmware refused.
  //   kDataLoss, kUnauthenticated: the answer is malformed, stale, forged or
  //              about something else.
  base::Status GetReport(std::span<const uint8_t, 64> report_data,
                         std::span<uint8_t, sev::kReportSize> out);

  // Wipes VMPCK0 and its key schedule. GetReport() fails afterwards.
  VmpckDestroyed Destroy() {
    Wipe();
    return VmpckDestroyed();
  }

  // Of the last firmware or host error; 0: there was none. For the console.
  uint64_t last_exit_info_2() const { return last_exit_info_2_; }

 private:
  base::Status Attempt(std::span<const uint8_t, 64> report_data,
                       std::span<uint8_t, sev::kReportSize> out);
  base::Status Seal(base::Bytes plain, uint64_t sequence_number);
  base::Status ExchangeSealed(base::Instant deadline);
  base::Result<base::Bytes> OpenResponse(uint64_t sequence_number);
  void Pause(base::Milliseconds pause, base::Instant deadline);
  void Wipe();

  sev::Vmpck vmpck0_;
  crypto::Aes256Gcm cipher_;
  GuestRequestDoorbell& doorbell_;
  base::Clock& clock_;
  base::Milliseconds timeout_;
  uint64_t last_sequence_number_ = 0;
  uint64_t last_exit_info_2_ = 0;
  std::array<uint8_t, sev::kMessagePageSize> request_{};
  std::array<uint8_t, sev::kMessagePageSize> response_{};
};

}  // namespace svsm

// SPDX-License-Identifier: Apache-2.0
//
// A guest of the emulated firmware, for tests: seals requests, opens answers.
#pragma once

#include <stdint.h>

#include <span>
#include <vector>

#include "base/bytes.h"
#include "psp/firmware.h"
#include "psp/message_cipher.h"
#include "sev/guest_message.h"
#include "sev/secrets_page.h"

namespace psp {

class FirmwareClient {
 public:
  // `firmware` outlives it, and has launched a guest.
  explicit FirmwareClient(Firmware& firmware) : firmware_(firmware) {}

  sev::Vmpck Key(uint8_t vmpck) const {
    const auto secrets = firmware_.SecretsPage();
    auto key = sev::Vmpck::CopyFrom(std::span(secrets).subspan(
        sev::secrets_layout::Vmpck0::kOffset + sev::kVmpckSize * vmpck,
        sev::kVmpckSize));
    return *std::move(key);
  }

  Firmware::Reply Ask(
      base::Bytes payload, uint64_t sequence_number, uint8_t vmpck = 0,
      sev::MessageType type = sev::MessageType::kReportRequest) {
    Page page{};
    SealMessage(Key(vmpck),
                {.sequence_number = sequence_number,
                 .type = type,
                 .size = static_cast<uint16_t>(payload.size()),
                 .vmpck = vmpck},
                payload, page);
    return firmware_.Request(page);
  }

  // The answer's payload. Empty: none, or not one under `vmpck`.
  std::vector<uint8_t> Open(const Firmware::Reply& reply,
                            uint8_t vmpck = 0) const {
    if (reply.exit_info_2 != 0) return {};
    const auto header = sev::ReadMessageHeader(reply.page);
    if (!header.ok()) return {};
    std::vector<uint8_t> plain(header->size);
    if (!OpenMessage(Key(vmpck), *header, reply.page, plain)) return {};
    return plain;
  }

  // Under a sequence number of its own: not to be mixed with Ask().
  std::vector<uint8_t> Call(
      base::Bytes payload, uint8_t vmpck = 0,
      sev::MessageType type = sev::MessageType::kReportRequest) {
    uint64_t& last = last_[vmpck];
    const auto reply = Ask(payload, last + 1, vmpck, type);
    if (reply.exit_info_2 == 0) last += 2;
    return Open(reply, vmpck);
  }

 private:
  Firmware& firmware_;
  std::array<uint64_t, sev::kVmpckCount> last_{};
};

}  // namespace psp

// SPDX-License-Identifier: Apache-2.0
//
// Requests of a hostile guest, which has its keys: any page, and any payload
// that is sealed as it should be.
#include <string.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "psp/firmware_client.h"
#include "psp/testing.h"
#include "sev/guest_message.h"
#include "tools/fuzz_seed.h"

namespace {

// Input: one byte for type and VMPCK, then the payload.
constexpr uint8_t kTypeMask = 0x07;
constexpr unsigned kVmpckShift = 6;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes input(data, size);
  psp::Firmware firmware(psp::TestHierarchy());
  firmware.Launch(psp::GuestContext{});
  psp::Page page{};
  std::copy_n(data, std::min(size, page.size()), page.begin());
  if (firmware.Request(page).exit_info_2 == 0) __builtin_trap();  // Not sealed.

  if (input.empty() || size - 1 > sev::kMessageMaxPayload) return 0;
  const uint8_t vmpck = input[0] >> kVmpckShift;
  const auto type = static_cast<sev::MessageType>(input[0] & kTypeMask);
  psp::FirmwareClient client(firmware);
  const auto reply = client.Ask(input.subspan(1), 1, vmpck, type);
  const auto answer = client.Open(reply, vmpck);
  if ((reply.exit_info_2 == 0) != !answer.empty()) __builtin_trap();
  const bool good = type == sev::MessageType::kKeyRequest
                        ? sev::ParseKeyRequest(input.subspan(1)).ok()
                        : type == sev::MessageType::kReportRequest &&
                              sev::ParseReportRequest(input.subspan(1)).ok();
  if (good != !answer.empty()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  const auto put = [out](sev::MessageType type, base::Bytes payload) {
    out[0] = static_cast<uint8_t>(type);
    memcpy(out + 1, payload.data(), payload.size());
    return payload.size() + 1;
  };
  switch (index) {
    case 0:
      return put(sev::MessageType::kReportRequest,
                 sev::EncodeReportRequest({}));
    case 1:
      return put(sev::MessageType::kKeyRequest,
                 sev::EncodeKeyRequest({.fields = sev::kKeyFieldsKnown}));
    default:
      return 0;
  }
}

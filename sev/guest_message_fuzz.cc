// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "sev/guest_message.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes input(data, size);
  const auto response = sev::ParseReportResponse(input);
  if (response.ok() && !response->report.empty() &&
      response->report.size() != sev::kReportSize) {
    __builtin_trap();
  }
  const auto request = sev::ParseReportRequest(input);
  if (request.ok() && !base::Equal(sev::EncodeReportRequest(*request), input)) {
    __builtin_trap();
  }
  const auto key_request = sev::ParseKeyRequest(input);
  if (key_request.ok() &&
      !base::Equal(sev::EncodeKeyRequest(*key_request), input)) {
    __builtin_trap();
  }
  const auto key_response = sev::ParseKeyResponse(input);
  if (key_response.ok() && !key_response->derived_key.empty() &&
      key_response->derived_key.size() != sev::kDerivedKeySize) {
    __builtin_trap();
  }
  std::array<uint8_t, sev::kMessagePageSize> page{};
  std::copy_n(data, std::min(size, page.size()), page.begin());
  const auto header = sev::ReadMessageHeader(page);
  if (header.ok() &&
      sev::MessagePayload(sev::ConstMessagePage(page), header->size).size() !=
          header->size) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  switch (index) {
    case 0: {
      const auto request = sev::EncodeReportRequest({});
      memcpy(out, request.data(), request.size());
      return request.size();
    }
    case 1:
      memset(out, 0, sev::kReportResponseSize);
      out[4] = 0xA0;
      out[5] = 0x04;
      return sev::kReportResponseSize;
    case 2:
      memset(out, 0, 128);
      sev::WriteMessageHeader({.sequence_number = 2, .size = 1216},
                              sev::MessagePage(out, sev::kMessagePageSize));
      return 128;
    case 3: {
      const auto request = sev::EncodeKeyRequest({.fields = 0x3F});
      memcpy(out, request.data(), request.size());
      return request.size();
    }
    case 4:
      memset(out, 0, sev::kKeyResponseSize);
      return sev::kKeyResponseSize;
    default:
      return 0;
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/emulated_processor.h"

#include <string.h>

#include <array>

#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/reasons.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

namespace channel = proto::channel;
using base::Code;
using base::Instant;
using base::Result;
using base::Status;
using proxy::FrameType;

static_assert(channel::kFirmwarePageSize == sev::kSecretsPageSize);
static_assert(channel::kFirmwarePageSize == sev::kMessagePageSize);

// The channel's own reasons would send their reader to the wrong daemon.
Status OfProcessor(Status status) {
  if (status.reason() == proxy::kProxyAbsent ||
      status.reason() == base::kDeadlinePassed) {
    return Status(Code::kDeadlineExceeded, kProcessorAbsent);
  }
  if (status.reason().tag0() == 'P' && status.reason().tag1() == 'C') {
    return Status(status.code(), kProcessorChannel);
  }
  return status;
}

}  // namespace

Result<sev::Vmpck> EmulatedProcessor::ReceiveSecrets(Instant deadline) {
  BASE_TRY(link_.Attach(deadline));
  BASE_TRY(link_.SendMessage(FrameType::kFirmwareAttach,
                             channel::FirmwareAttach{}, deadline));
  BASE_TRY_ASSIGN(const proxy::Frame frame,
                  link_.ReceiveType(FrameType::kFirmwareSecrets, deadline));
  arena_.Reset();
  BASE_TRY_ASSIGN(const auto secrets, channel::Decode<channel::FirmwareSecrets>(
                                          frame.body, arena_));
  std::array<uint8_t, sev::kSecretsPageSize> page;
  memcpy(page.data(), secrets.page.data(), page.size());
  Result<sev::Vmpck> key = sev::TakeVmpck0(page);
  base::SecureZero(page.data(), page.size());
  return key;
}

Result<sev::Vmpck> EmulatedProcessor::Attach(Instant deadline) {
  Result<sev::Vmpck> key = ReceiveSecrets(deadline);
  // Both held the secrets page: VMPCK0 is in `key` alone now, and in the
  // shared page until Close().
  arena_.Reset();
  link_.channel().WipeReceived();
  if (!key.ok()) return OfProcessor(key.status());
  return key;
}

Result<uint64_t> EmulatedProcessor::Exchange(sev::ConstMessagePage request,
                                             sev::MessagePage response,
                                             Instant deadline) {
  const auto exchange = [&]() -> Result<uint64_t> {
    BASE_TRY(link_.SendMessage(FrameType::kFirmwareRequest,
                               channel::FirmwareRequest{request}, deadline));
    BASE_TRY_ASSIGN(const proxy::Frame frame,
                    link_.ReceiveType(FrameType::kFirmwareResponse, deadline));
    arena_.Reset();
    BASE_TRY_ASSIGN(
        const auto answer,
        channel::Decode<channel::FirmwareResponse>(frame.body, arena_));
    if (answer.exit_info_2 == 0) {
      memcpy(response.data(), answer.page.data(), response.size());
    }
    return answer.exit_info_2;
  };
  const Result<uint64_t> outcome = exchange();
  if (!outcome.ok()) return OfProcessor(outcome.status());
  return outcome;
}

void EmulatedProcessor::Close(Instant deadline) { link_.Close(deadline); }

}  // namespace svsm

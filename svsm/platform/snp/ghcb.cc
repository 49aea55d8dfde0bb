// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/ghcb.h"

#include "sev/ghcb.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

namespace f = sev::ghcb_layout;
using base::Code;
using base::Result;
using base::Status;

// The valid bitmap, as the two words that it is.
struct ValidBits {
  uint64_t words[2] = {0, 0};

  template <typename F>
  void Set() {
    words[sev::kValidBit<F> / 64] |= uint64_t{1} << (sev::kValidBit<F> % 64);
  }
  template <typename F>
  bool Has() const {
    return (words[sev::kValidBit<F> / 64] >> (sev::kValidBit<F> % 64) & 1) != 0;
  }
};
static_assert(f::ValidBitmap::kSize == sizeof(ValidBits));

template <typename F>
void Put(const proxy::SharedRange& page, ValidBits& valid, uint64_t value) {
  static_assert(F::kSize == sizeof(value));
  page.Store64(F::kOffset, value);
  valid.Set<F>();
}
template <typename F>
void PutIf(const proxy::SharedRange& page, ValidBits& valid,
           const std::optional<uint64_t>& value) {
  if (value.has_value()) Put<F>(page, valid, *value);
}
template <typename F>
std::optional<uint64_t> TakeIf(const proxy::SharedRange& page,
                               const ValidBits& valid) {
  if (!valid.Has<F>()) return std::nullopt;
  return page.Load64(F::kOffset);
}

uint64_t IoInfo(uint16_t port, unsigned size) {
  const uint64_t bits = size == 1   ? sev::kIoioSize8
                        : size == 2 ? sev::kIoioSize16
                                    : sev::kIoioSize32;
  return uint64_t{port} << sev::kIoioPortShift | bits | sev::kIoioAddress64;
}

Status Malformed(base::Reason reason) {
  return Status(Code::kDataLoss, reason);
}

Status Judge(const Ghcb::Call& call, const Ghcb::Reply& reply) {
  // A refused WRMSR has the 1 of the request, but then names the exception.
  if (call.info_1 != 0 && reply.info_1 == call.info_1 &&
      reply.info_2 == call.info_2) {
    return Malformed(kGhcbUnanswered);
  }
  switch (static_cast<uint32_t>(reply.info_1)) {
    case sev::kExitResultOk:
      return {};
    case sev::kExitResultException:
      return Malformed(kGhcbException);
    case sev::kExitResultMalformed:
      return Status(Code::kUnavailable, kGhcbRefused);
    default:
      return Malformed(kGhcbUnknownResult);
  }
}

}  // namespace

Result<Ghcb::Reply> Ghcb::Exchange(const Call& call) {
  // An exception in the middle of a request must not start another in its page.
  if (busy_) return Status(Code::kInternal, kGhcbBusy);
  busy_ = true;

  ValidBits valid;
  Put<f::SwExitCode>(page_, valid, call.code);
  Put<f::SwExitInfo1>(page_, valid, call.info_1);
  Put<f::SwExitInfo2>(page_, valid, call.info_2);
  PutIf<f::Rax>(page_, valid, call.rax);
  PutIf<f::Rbx>(page_, valid, call.rbx);
  PutIf<f::Rcx>(page_, valid, call.rcx);
  PutIf<f::Rdx>(page_, valid, call.rdx);
  PutIf<f::SwScratch>(page_, valid, call.scratch);
  page_.Store64(f::ValidBitmap::kOffset, valid.words[0]);
  page_.Store64(f::ValidBitmap::kOffset + 8, valid.words[1]);
  // Reserved bytes, version and usage.
  static_assert(f::ProtocolVersion::kOffset == 0xFF8 + 2 &&
                f::Usage::kOffset == 0xFF8 + 4);
  page_.Store64(0xFF8, uint64_t{sev::kGhcbVersion} << 16 |
                           uint64_t{sev::kGhcbUsageStandard} << 32);
  exit_.Page(page_.gpa);

  valid.words[0] = page_.Load64(f::ValidBitmap::kOffset);
  valid.words[1] = page_.Load64(f::ValidBitmap::kOffset + 8);
  const Reply reply = {.info_1 = page_.Load64(f::SwExitInfo1::kOffset),
                       .info_2 = page_.Load64(f::SwExitInfo2::kOffset),
                       .rax = TakeIf<f::Rax>(page_, valid),
                       .rbx = TakeIf<f::Rbx>(page_, valid),
                       .rdx = TakeIf<f::Rdx>(page_, valid)};
  busy_ = false;
  return reply;
}

Result<Ghcb::Reply> Ghcb::Exit(const Call& call) {
  BASE_TRY_ASSIGN(const Reply reply, Exchange(call));
  BASE_TRY(Judge(call, reply));
  return reply;
}

Result<uint32_t> Ghcb::In(uint16_t port, unsigned size) {
  BASE_TRY_ASSIGN(const Reply reply,
                  Exit({.code = sev::kExitIoio,
                        .info_1 = IoInfo(port, size) | sev::kIoioIn}));
  if (!reply.rax.has_value()) return Malformed(kGhcbUnanswered);
  const uint64_t mask = (uint64_t{1} << (8 * size)) - 1;
  return static_cast<uint32_t>(*reply.rax & mask);
}

Status Ghcb::Out(uint16_t port, unsigned size, uint32_t value) {
  return base::StatusOf(Exit({.code = sev::kExitIoio,
                              .info_1 = IoInfo(port, size),
                              .rax = uint64_t{value}}));
}

Result<uint64_t> Ghcb::ReadMsr(uint32_t msr) {
  BASE_TRY_ASSIGN(const Reply reply,
                  Exit({.code = sev::kExitMsr, .rcx = uint64_t{msr}}));
  if (!reply.rax.has_value() || !reply.rdx.has_value()) {
    return Malformed(kGhcbUnanswered);
  }
  return *reply.rdx << 32 | (*reply.rax & UINT32_MAX);
}

Status Ghcb::WriteMsr(uint32_t msr, uint64_t value) {
  return base::StatusOf(Exit({.code = sev::kExitMsr,
                              .info_1 = 1,
                              .rax = value & UINT32_MAX,
                              .rcx = uint64_t{msr},
                              .rdx = value >> 32}));
}

Result<Ghcb::Answer> Ghcb::SendGuestRequest(const Call& call) {
  BASE_TRY_ASSIGN(const Reply reply, Exchange(call));
  const Status judged = Judge(call, reply);
  // That the host does not know the request is for the caller to judge.
  if (!judged.ok() && judged.reason() != kGhcbRefused) return judged;
  return Answer{.result = static_cast<uint32_t>(reply.info_1),
                .exit_info_2 = reply.info_2,
                .rbx = reply.rbx.value_or(0)};
}

Result<Ghcb::Answer> Ghcb::GuestRequest(uint64_t request, uint64_t response) {
  return SendGuestRequest(
      {.code = sev::kExitGuestRequest, .info_1 = request, .info_2 = response});
}

Result<Ghcb::Answer> Ghcb::ExtendedGuestRequest(uint64_t request,
                                                uint64_t response,
                                                uint64_t certificates,
                                                uint64_t pages) {
  return SendGuestRequest({.code = sev::kExitExtendedGuestRequest,
                           .info_1 = request,
                           .info_2 = response,
                           .rax = certificates,
                           .rbx = pages});
}

}  // namespace svsm

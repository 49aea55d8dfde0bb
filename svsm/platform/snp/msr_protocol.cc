// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/msr_protocol.h"

#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

using base::Code;
using base::Result;
using base::Status;

// The answer to `request`, if it is one of kind `expected`.
Result<uint64_t> Ask(VmgExit& exit, uint64_t request, uint64_t expected) {
  const uint64_t answer = exit.Msr(request);
  if ((answer & sev::kGhcbInfoMask) != expected) {
    return Status(Code::kDataLoss, kGhcbMsrAnswer);
  }
  return answer;
}

}  // namespace

Status NegotiateGhcb(VmgExit& exit, unsigned c_bit) {
  BASE_TRY_ASSIGN(const uint64_t info,
                  Ask(exit, sev::kMsrSevInfoRequest, sev::kMsrSevInfoResponse));
  const auto max = static_cast<uint16_t>(info >> sev::kSevInfoMaxShift);
  const auto min = static_cast<uint16_t>(info >> sev::kSevInfoMinShift);
  const auto named = static_cast<uint8_t>(info >> sev::kSevInfoCbitShift);
  if (min > max) return Status(Code::kDataLoss, kGhcbMsrAnswer);
  if (min > sev::kGhcbVersion || max < sev::kGhcbVersion) {
    return Status(Code::kFailedPrecondition, kGhcbVersion);
  }
  if (named != c_bit) return Status(Code::kDataLoss, kGhcbCbit);
  return {};
}

Status CheckHypervisorFeatures(VmgExit& exit) {
  BASE_TRY_ASSIGN(const uint64_t answer, Ask(exit, sev::kMsrFeaturesRequest,
                                             sev::kMsrFeaturesResponse));
  if (((answer >> sev::kMsrFeaturesShift) & sev::kFeatureSnp) == 0) {
    return Status(Code::kFailedPrecondition, kGhcbFeatures);
  }
  return {};
}

Status RegisterGhcb(VmgExit& exit, uint64_t gpa) {
  BASE_TRY_ASSIGN(const uint64_t answer,
                  Ask(exit, gpa | sev::kMsrRegisterGhcbRequest,
                      sev::kMsrRegisterGhcbResponse));
  if ((answer & ~sev::kGhcbInfoMask) != gpa) {
    return Status(Code::kDataLoss, kGhcbRegistration);
  }
  return {};
}

Status ChangePageByMsr(VmgExit& exit, uint64_t gpa,
                       sev::PageOperation operation) {
  const uint64_t request = (gpa & sev::kMsrPageStateGfnMask) |
                           static_cast<uint64_t>(operation)
                               << sev::kMsrPageStateOperationShift |
                           sev::kMsrPageStateRequest;
  BASE_TRY_ASSIGN(const uint64_t answer,
                  Ask(exit, request, sev::kMsrPageStateResponse));
  if (answer >> sev::kMsrPageStateErrorShift != 0) {
    return Status(Code::kUnavailable, kPageStateRefused);
  }
  // Bits 31:12 are reserved.
  if (answer != sev::kMsrPageStateResponse) {
    return Status(Code::kDataLoss, kGhcbMsrAnswer);
  }
  return {};
}

}  // namespace svsm

// SPDX-License-Identifier: Apache-2.0
#include "tools/reasons/all_reasons.h"

#include "attest/reasons.h"
#include "base/reasons.h"
#include "cli/reasons.h"
#include "crypto/reasons.h"
#include "host-proxy/reasons.h"
#include "launch/igvm/reasons.h"
#include "launch/reasons.h"
#include "proto/reasons.h"
#include "proxy/reasons.h"
#include "psp/reasons.h"
#include "sev/reasons.h"
#include "svsm/linux/reasons.h"
#include "svsm/platform/guest_request/reasons.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/reasons.h"
#include "verifier/reasons.h"

namespace reasons {
namespace {

using base::ReasonRow;

constexpr ReasonRow kAttest[] = {FORELOCK_ATTEST_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kBase[] = {FORELOCK_BASE_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kCli[] = {FORELOCK_CLI_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kCrypto[] = {FORELOCK_CRYPTO_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kHostProxy[] = {
    FORELOCK_HOST_PROXY_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kIgvm[] = {FORELOCK_IGVM_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kLaunch[] = {FORELOCK_LAUNCH_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kProto[] = {FORELOCK_PROTO_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kProxy[] = {FORELOCK_PROXY_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kPsp[] = {FORELOCK_PSP_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kSev[] = {FORELOCK_SEV_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kLoader[] = {FORELOCK_LOADER_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kGuestRequest[] = {
    FORELOCK_GUEST_REQUEST_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kSnp[] = {FORELOCK_SNP_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kSvsm[] = {FORELOCK_SVSM_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kEvidence[] = {
    FORELOCK_VERIFIER_EVIDENCE_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kPolicy[] = {
    FORELOCK_VERIFIER_POLICY_REASONS(BASE_REASON_ROW)};
constexpr ReasonRow kStore[] = {
    FORELOCK_VERIFIER_STORE_REASONS(BASE_REASON_ROW)};

constexpr char kAnywhere[] = "guest console, proxy, verifier, tools";
constexpr char kOwnerLog[] = "audit log, verifier";
constexpr char kTools[] = "forelock, forelock-emulator";
constexpr char kProxyLog[] = "proxy";
constexpr char kGuest[] = "guest console, proxy";

constexpr ReasonModule kModules[] = {
    {"attest/", kAnywhere, kAttest},
    {"base/", kAnywhere, kBase},
    {"cli/", "forelock", kCli},
    {"crypto/", kGuest, kCrypto},
    {"host-proxy/", kProxyLog, kHostProxy},
    {"launch/", kTools, kLaunch},
    {"launch/igvm/", kTools, kIgvm},
    {"proto/", kAnywhere, kProto},
    {"proxy/", kGuest, kProxy},
    {"psp/", kTools, kPsp},
    {"sev/", kAnywhere, kSev},
    {"svsm/", kGuest, kSvsm},
    {"svsm/linux/", kGuest, kLoader},
    {"svsm/platform/guest_request/", kGuest, kGuestRequest},
    {"svsm/platform/snp/", kGuest, kSnp},
    {"verifier/, evidence", kOwnerLog, kEvidence},
    {"verifier/, policy", kOwnerLog, kPolicy},
    {"verifier/, store and server", kOwnerLog, kStore},
};

}  // namespace

std::span<const ReasonModule> AllReasons() { return kModules; }

}  // namespace reasons

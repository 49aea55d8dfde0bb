// SPDX-License-Identifier: Apache-2.0
#include "cli/report_commands.h"

#include "cli/report_input.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kShowOptions[] = {
    {"json", "", Kind::kSwitch, "one JSON object instead of the table"},
    kWrappedOption,
    kProductOption,
};

constexpr hosted::Option kVerifyOptions[] = {
    {"certificates", "FILE|DIR", Kind::kRepeated,
     "certificates, or a folder of them"},
    {"kds", "URL", Kind::kOptional,
     "base URL of AMD's key service, or of a cache of it"},
    {"crl", "FILE", Kind::kRepeated, "a revocation list"},
    {"require-crl", "", Kind::kSwitch,
     "invalid without a current revocation list"},
    {"at", "TIME", Kind::kOptional,
     "when the certificates must be valid, as 2026-09-15T00:00:00Z; now"},
    kRootOption,
    {"report-data", "HEX", Kind::kOptional,
     "what the report data must be; zeros may be left out at the end"},
    {"allow-newer-version", "", Kind::kSwitch,
     "check what is known of a report version newer than 5"},
    {"json", "", Kind::kSwitch, "one JSON object instead of the text"},
    kWrappedOption,
    kProductOption,
};

constexpr hosted::ExitCode kVerdicts[] = {
    {hosted::kExitOk, "valid"},
    {hosted::kExitFailed, "no verdict; the reason is on standard error"},
    {hosted::kExitInvalid, "invalid: at least one check failed"},
    {hosted::kExitUnverifiable,
     "unverifiable: nothing is wrong, something is missing"},
};

constexpr hosted::Command kCommands[] = {
    {"report show", "FILE", "print every field of an attestation report",
     "Prints what the report in FILE says, under the names of AMD's firmware\n"
     "ABI (56860). FILE is 1184 bytes as the secure processor made them; -\n"
     "reads standard input. Nothing is verified, and nothing but the report "
     "is\n"
     "needed.\n"
     "\n"
     "A report newer than version 5 is shown as one of version 5. Bits "
     "without\n"
     "a name are shown by number; faults names what breaks the ABI's rules.",
     kShowOptions, &ReportShow},
    {"report verify", "FILE", "say whether an attestation report is authentic",
     "Checks the report in FILE against its certificates: VCEK or VLEK, ASK "
     "or\n"
     "ASVK, and an ARK that is AMD's. Knows no policy: whether the guest is\n"
     "one that may have secrets is another question.\n"
     "\n"
     "Certificates are DER, PEM, several of either, or the certificate table\n"
     "of an extended guest request. Those named as files must be usable and\n"
     "fit the report; from a folder (*.der, *.pem) what fits is taken. With\n"
     "--kds what is missing is fetched and put into the first folder. AMD's\n"
     "key service is https://kdsintf.amd.com; it learns chip id and TCB. It\n"
     "has no VLEK, and today's revocation list is not asked for with --at.\n"
     "\n"
     "  forelock report verify --certificates DIR --kds URL report.bin",
     kVerifyOptions, &ReportVerify, kVerdicts},
};

}  // namespace

std::span<const hosted::Command> ReportCommands() { return kCommands; }

}  // namespace cli

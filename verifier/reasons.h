// SPDX-License-Identifier: Apache-2.0
//
// Reasons of the verifier: VE evidence, VP policy, VS store and server. They
// go to the owner's audit log; a guest or host sees only the outcome.
#pragma once

#include "base/reasons.h"

#define FORELOCK_VERIFIER_EVIDENCE_REASONS(X)                                 \
  X(kEvidenceNoLeaf, 'V', 'E', 1, "no VCEK or VLEK came with the report",     \
    "forelock roots prepare fills the proxy's folder for this chip and TCB "  \
    "(docs/operate-host.md). Verifying a file: --certificates or --kds.")     \
  X(kEvidenceNoAsk, 'V', 'E', 2,                                              \
    "no ASK or ASVK came with the report, and none is imported",              \
    "Import AMD's chain: forelock roots import.")                             \
  X(kEvidenceNoArk, 'V', 'E', 3,                                              \
    "no ARK came with the report, and none is imported",                      \
    "Import AMD's chain: forelock roots import.")                             \
  X(kCertificateMalformed, 'V', 'E', 4, "a certificate does not parse",       \
    "The file on the host is damaged; fetch it again.")                       \
  X(kCertificateAlgorithm, 'V', 'E', 5,                                       \
    "a certificate is not signed with RSASSA-PSS and SHA-384",                \
    "This is not a certificate of AMD's key service.")                        \
  X(kCertificateSignature, 'V', 'E', 6,                                       \
    "a certificate's signature does not verify under its issuer",             \
    "The certificates do not belong together; fetch them again.")             \
  X(kCertificateIssuer, 'V', 'E', 7,                                          \
    "a certificate names another issuer than the one above it",               \
    "The certificates do not belong together; fetch them again.")             \
  X(kCertificateIssuerKey, 'V', 'E', 8, "an issuer's key is not RSA-4096",    \
    "This is not a certificate of AMD's key service.")                        \
  X(kCertificateNotYetValid, 'V', 'E', 9, "a certificate is not valid yet",   \
    "Check the verifier's clock.")                                            \
  X(kCertificateExpired, 'V', 'E', 10, "a certificate has expired",           \
    "Fetch the certificates again; check the verifier's clock.")              \
  X(kCertificateNotCa, 'V', 'E', 11,                                          \
    "an issuer may not sign certificates (CA, keyCertSign)",                  \
    "This is not a certificate of AMD's key service.")                        \
  X(kRootNotAccepted, 'V', 'E', 12, "the root is not one accepted here",      \
    "If it is meant to be: forelock-verifier roots add.")                     \
  X(kRootNotSelfSigned, 'V', 'E', 13, "the root is not signed by itself",     \
    "ark.der holds another certificate.")                                     \
  X(kVcekKey, 'V', 'E', 14, "the VCEK's or VLEK's key is not on P-384",       \
    "This is not a certificate of AMD's key service.")                        \
  X(kVcekExtensionMissing, 'V', 'E', 15,                                      \
    "the VCEK or VLEK lacks an AMD extension",                                \
    "This is not a certificate of AMD's key service.")                        \
  X(kVcekExtensionMalformed, 'V', 'E', 16,                                    \
    "an AMD extension of the VCEK or VLEK is malformed or there twice",       \
    "This is not a certificate of AMD's key service.")                        \
  X(kVcekTcbMismatch, 'V', 'E', 17,                                           \
    "the VCEK or VLEK is for another TCB than the report's",                  \
    "The host's firmware changed; fetch the VCEK for the reported TCB.")      \
  X(kVcekChipIdMismatch, 'V', 'E', 18,                                        \
    "the VCEK is for another chip than the report's",                         \
    "Fetch the VCEK of the chip that made the report.")                       \
  X(kReportSignature, 'V', 'E', 19, "the report's signature does not verify", \
    "The report or the VCEK was changed on its way.")                         \
  X(kReportSigningKey, 'V', 'E', 20,                                          \
    "the report is not signed by a key of the certificate's kind",            \
    "Fetch the certificate of the key that SIGNING_KEY names.")               \
  X(kReportDataMismatch, 'V', 'E', 21,                                        \
    "the report is not bound to this session",                                \
    "A relayed or replayed report, a changed message, or a man in the "       \
    "middle.")                                                                \
  X(kReportVmpl, 'V', 'E', 22, "the report was not requested from VMPL 0",    \
    "Something less privileged than the SVSM asked for it.")                  \
  X(kReportDebug, 'V', 'E', 23, "the guest policy allows debugging",          \
    "Launch the guest without the debug bit.")                                \
  X(kReportMigrationAgent, 'V', 'E', 24,                                      \
    "the guest policy allows a migration agent",                              \
    "Launch the guest without the migration bit.")                            \
  X(kReportPolicyBit, 'V', 'E', 25,                                           \
    "the guest policy has a bit that the policy does not name",               \
    "Name it in unknown_bits of [guest_policy] if it may be.")                \
  X(kReportProduct, 'V', 'E', 26, "the processor is not one known here",      \
    "Milan, Genoa, Bergamo, Siena and Turin are; update this program.")       \
  X(kReportProductMismatch, 'V', 'E', 27,                                     \
    "report and certificates are of different processors",                    \
    "The certificates do not belong to this report.")                         \
  X(kReportChipIdMasked, 'V', 'E', 28, "the report hides its chip id",        \
    "Set MASK_CHIP_ID to 0 on the host.")                                     \
  X(kReportPolicyReserved, 'V', 'E', 29,                                      \
    "the guest policy's bit 17 is not set",                                   \
    "No genuine report looks like this.")                                     \
  X(kBootManifestMalformed, 'V', 'E', 30, "the boot manifest does not parse", \
    "The guest image is newer, broken or hostile.")                           \
  X(kVcekIsCa, 'V', 'E', 31, "the VCEK or VLEK claims to be a CA",            \
    "This is not a certificate of AMD's key service.")                        \
  X(kReportMasksChipKey, 'V', 'E', 32,                                        \
    "the report says that its signature is masked",                           \
    "Set MASK_CHIP_KEY to 0 on the host.")                                    \
  X(kCertificatePkcs1, 'V', 'E', 33,                                          \
    "a certificate is signed with RSASSA-PKCS1-v1_5",                         \
    "This is not a certificate of AMD's key service.")                        \
  X(kCertificateSha1, 'V', 'E', 34, "a certificate is signed with SHA-1",     \
    "This is not a certificate of AMD's key service.")                        \
  X(kCertificateRevoked, 'V', 'E', 35, "AMD has revoked a certificate",       \
    "AMD has issued another ASK or ASVK: fetch and import chain and list, "   \
    "fetch the VCEK, and run forelock roots prepare for the host.")           \
  X(kCrlStale, 'V', 'E', 36, "the CRL is past its nextUpdate",                \
    "Fetch AMD's CRL and import it: forelock roots import.")                  \
  X(kCrlMissing, 'V', 'E', 37, "there is no CRL and one is required",         \
    "Fetch AMD's CRL and import it: forelock roots import.")                  \
  X(kCertificateOrder, 'V', 'E', 38,                                          \
    "a certificate stands in the place of another",                           \
    "Put leaf, ASK or ASVK, and ARK in their own places.")                    \
  X(kCertificateDuplicate, 'V', 'E', 39, "a certificate is there twice",      \
    "Remove one of them.")                                                    \
  X(kIntermediateUnknown, 'V', 'E', 40,                                       \
    "the intermediate is no ASK or ASVK of AMD by its name",                  \
    "This is not a certificate of AMD's key service.")                        \
  X(kRootOfAnotherProduct, 'V', 'E', 41,                                      \
    "the root is AMD's for another processor",                                \
    "Use the ARK of the product that the chain names.")                       \
  X(kLeafUnknown, 'V', 'E', 42,                                               \
    "the leaf is neither a VCEK nor a VLEK by its name",                      \
    "This is not a certificate of AMD's key service.")                        \
  X(kLeafOfAnotherIssuer, 'V', 'E', 43,                                       \
    "an ASK signs VCEKs only, an ASVK VLEKs only",                            \
    "The certificates do not belong together; fetch them again.")             \
  X(kVcekStructVersion, 'V', 'E', 44,                                         \
    "the certificate's structVersion is not the product's",                   \
    "This is not a certificate of AMD's key service.")                        \
  X(kVcekProductName, 'V', 'E', 45,                                           \
    "the certificate's productName is not the chain's product",               \
    "The certificates do not belong together; fetch them again.")             \
  X(kVcekHardwareIdLength, 'V', 'E', 46,                                      \
    "the certificate's hwID has not the product's length",                    \
    "64 bytes, 8 on Turin; this is not a certificate of AMD's key service.")  \
  X(kVlekHardwareId, 'V', 'E', 47, "a VLEK has a hwID",                       \
    "This is not a certificate of AMD's key service.")                        \
  X(kVlekCspIdMissing, 'V', 'E', 48, "a VLEK has no CSP_ID",                  \
    "This is not a certificate of AMD's key service.")                        \
  X(kReportSignatureRange, 'V', 'E', 49,                                      \
    "R or S of the report's signature is zero or not below the order",        \
    "The report is unsigned, cut, or was changed on its way.")                \
  X(kReportVmplRange, 'V', 'E', 50,                                           \
    "the report was not requested by a guest (VMPL 0 to 3)",                  \
    "The host asked for it; it says nothing of a guest.")                     \
  X(kReportVersionNewer, 'V', 'E', 51,                                        \
    "the report is newer than I know; only its known part was checked",       \
    "Update this program.")                                                   \
  X(kCertificateCritical, 'V', 'E', 52,                                       \
    "a certificate has a critical extension that is not known here",          \
    "This is not a certificate of AMD's key service, or a newer kind.")       \
  X(kReportTcbAboveCurrent, 'V', 'E', 53,                                     \
    "the reported or committed TCB is above the current one",                 \
    "No genuine report looks like this; tcb_above_current of a policy can "   \
    "allow it.")                                                              \
  X(kProductUnknown, 'V', 'E', 54,                                            \
    "the chain is of a product that this version does not know",              \
    "Update this program; report verify --allow-newer-version checks what "   \
    "is known of it.")                                                        \
  X(kCrlTooLarge, 'V', 'E', 55,                                               \
    "a revocation list is larger than the 64 KiB that are read",              \
    "AMD's have some 900 bytes; update this program if AMD's have grown.")    \
  X(kWrappedReportMalformed, 'V', 'E', 70,                                    \
    "what should wrap a report is malformed",                                 \
    "Give the file as the guest device or the vTPM returned it.")             \
  X(kWrappedReportRefused, 'V', 'E', 71,                                      \
    "the firmware answered with a status instead of a report",                \
    "Ask for the report again; AMD 56860 lists the status codes.")

#define FORELOCK_VERIFIER_POLICY_REASONS(X)                                   \
  X(kPolicySyntax, 'V', 'P', 1, "a policy file is not TOML",                  \
    "Line and column are in the message.")                                    \
  X(kPolicyUnknownKey, 'V', 'P', 2, "a policy has a key that means nothing",  \
    "Remove it, or correct its name.")                                        \
  X(kPolicyMissingKey, 'V', 'P', 3, "a policy lacks a key",                   \
    "A check that is off is written as \"any\".")                             \
  X(kPolicyBadValue, 'V', 'P', 4, "a policy has a value of the wrong kind",   \
    "Line and column are in the message.")                                    \
  X(kPolicyMixedRoots, 'V', 'P', 5,                                           \
    "a policy names an AMD root and another root",                            \
    "Write one policy for hardware and one for emulation.")                   \
  X(kPolicyUnattestedBoot, 'V', 'P', 6,                                       \
    "a policy says \"any\" for a boot file without unattested_boot = true",   \
    "Pin the file's digest, or add the line.")                                \
  X(kPolicyOverlap, 'V', 'P', 7, "two policies govern the same secret path",  \
    "Change the secrets of one of them.")                                     \
  X(kNoGoverningPolicy, 'V', 'P', 8, "no policy governs the secret path",     \
    "forelock-verifier policy add one whose secrets (for an image without "   \
    "[[resource]]: whose vms) cover it.")                                     \
  X(kVmNotNamed, 'V', 'P', 9, "the policy does not speak for this VM",        \
    "Add the VM to vms if it is meant to have the secret.")                   \
  X(kPathNotOfVm, 'V', 'P', 10, "the policy gives this secret to another VM", \
    "See {vm} in the secrets of the policy.")                                 \
  X(kMeasurementNotAllowed, 'V', 'P', 11,                                     \
    "the launch measurement is not one the policy allows",                    \
    "If the image is yours, add its measurement.")                            \
  X(kKernelNotAllowed, 'V', 'P', 12,                                          \
    "the kernel is not one the policy allows",                                \
    "If the kernel is yours, add its digest.")                                \
  X(kInitrdNotAllowed, 'V', 'P', 13,                                          \
    "the initrd is not one the policy allows",                                \
    "If the initrd is yours, add its digest.")                                \
  X(kCommandLineNotAllowed, 'V', 'P', 14,                                     \
    "the kernel command line is not one the policy allows",                   \
    "If the command line is yours, add its digest.")                          \
  X(kAcpiNotAllowed, 'V', 'P', 15,                                            \
    "the ACPI tables are not ones the policy allows",                         \
    "They change with QEMU's version and machine, -m, -smp, devices and "     \
    "their slots. If the change is yours, add the new digest: "               \
    "forelock image acpi-digest prints it.")                                  \
  X(kRootNotNamed, 'V', 'P', 16,                                              \
    "the policy does not name the root of the evidence",                      \
    "Add it to roots if evidence from it is meant to count.")                 \
  X(kEmulatedNotAllowed, 'V', 'P', 17,                                        \
    "the evidence is EMULATED and the server does not allow that",            \
    "Only a demo or a test runs serve --allow-emulated.")                     \
  X(kSecretClass, 'V', 'P', 18,                                               \
    "the secret's class is not the class of the evidence",                    \
    "EMULATED evidence gets only secrets created --emulated, and the "        \
    "reverse.")                                                               \
  X(kSecretUnknown, 'V', 'P', 19, "there is no secret of that path",          \
    "forelock-verifier secret add, or secret add-disk.")                      \
  X(kPolicyAmbiguousVm, 'V', 'P', 20,                                         \
    "a policy's {vm} gives one secret path to two VMs",                       \
    "Write one policy for each depth of VM names, or another prefix.")        \
  X(kPolicyVersion, 'V', 'P', 21,                                             \
    "a policy is of a version that is no longer read",                        \
    "Write it as version 2: docs/policy.md, \"From version 1\"; "             \
    "or begin with forelock policy from-image.")                              \
  X(kPolicyUnpinned, 'V', 'P', 22,                                            \
    "a policy pins neither a measurement nor an ID key with a "               \
    "minimum SVN",                                                            \
    "Name what may run: docs/policy.md, \"What may run\".")                   \
  X(kPolicyWeakensCore, 'V', 'P', 23,                                         \
    "a policy allows what the fixed core forbids",                            \
    "Write \"forbidden\"; no policy can allow it.")                           \
  X(kPolicyUnknownImage, 'V', 'P', 24,                                        \
    "a policy names an image that it does not define",                        \
    "Add it under [images], or write the digest.")                            \
  X(kProductNotAllowed, 'V', 'P', 25,                                         \
    "the policy does not allow this processor",                               \
    "Add it to products, roots and minimum_tcb if it is meant to count.")     \
  X(kReportVersionNotAllowed, 'V', 'P', 26,                                   \
    "the report's version is not one the policy allows",                      \
    "Add it to report_versions if it is meant to count.")                     \
  X(kIdKeyNotAllowed, 'V', 'P', 27,                                           \
    "the ID key's digest is not one the policy allows",                       \
    "The image is signed by another key, or launched without an "             \
    "ID block.")                                                              \
  X(kAuthorKeyNotAllowed, 'V', 'P', 28,                                       \
    "the author key is not one the policy allows",                            \
    "The ID key is signed by another author, or by none.")                    \
  X(kFamilyIdNotAllowed, 'V', 'P', 29,                                        \
    "the family id is not one the policy allows",                             \
    "It comes from the ID block that the VM was launched with.")              \
  X(kImageIdNotAllowed, 'V', 'P', 30,                                         \
    "the image id is not one the policy allows",                              \
    "It comes from the ID block that the VM was launched with.")              \
  X(kHostDataNotAllowed, 'V', 'P', 31,                                        \
    "the host data is not what the policy allows",                            \
    "The host set another value at launch.")                                  \
  X(kGuestSvnTooLow, 'V', 'P', 32,                                            \
    "the guest's SVN is below the policy's minimum",                          \
    "An old image; launch the current one.")                                  \
  X(kGuestPolicyNotAllowed, 'V', 'P', 33,                                     \
    "a bit of the guest policy is not as the policy wants it",                \
    "Launch the guest with another guest policy, or change "                  \
    "guest_policy.")                                                          \
  X(kGuestAbiTooLow, 'V', 'P', 34,                                            \
    "the guest policy demands a lower firmware ABI than the policy",          \
    "Launch the guest with a higher minimum ABI version.")                    \
  X(kPlatformInfoNotAllowed, 'V', 'P', 35,                                    \
    "a bit of the platform info is not as the policy wants it",               \
    "It says how the host's firmware is set up; see platform_info.")          \
  X(kVlekNotAllowed, 'V', 'P', 36,                                            \
    "the report is signed under a VLEK that the policy does not allow",       \
    "Name the CSP id in signer.vlek if that provider is trusted.")            \
  X(kChipNotAllowed, 'V', 'P', 37, "the chip is not one the policy names",    \
    "Add its id to signer.chips if it is meant to count.")                    \
  X(kChipDenied, 'V', 'P', 38, "the policy denies this chip",                 \
    "It stands in signer.chips_denied.")                                      \
  X(kChipMasked, 'V', 'P', 39,                                                \
    "the policy lists chips, and the report hides its own",                   \
    "Set MASK_CHIP_ID to 0 on the host, or write chips = \"any\".")           \
  X(kCrlNotChecked, 'V', 'P', 40,                                             \
    "the policy wants a current revocation list, and there is none",          \
    "Import AMD's CRL for this product; it must be current.")                 \
  X(kReportedTcbTooOld, 'V', 'P', 41,                                         \
    "the reported TCB is below the policy's minimum",                         \
    "Update the host's firmware, and fetch the new VCEK.")                    \
  X(kCommittedTcbTooOld, 'V', 'P', 42,                                        \
    "the committed TCB is below the policy's minimum",                        \
    "The host can still go back to older firmware: commit the update.")       \
  X(kLaunchTcbTooOld, 'V', 'P', 43,                                           \
    "the TCB at launch is below the policy's minimum",                        \
    "Launch the guest again on the updated firmware.")                        \
  X(kTcbAboveCurrentNotAllowed, 'V', 'P', 44,                                 \
    "the reported or committed TCB is above the current one",                 \
    "No genuine report looks like this; tcb_above_current can allow it.")     \
  X(kPolicyIsImageConfig, 'V', 'P', 45,                                       \
    "this is an image's configuration, and no policy",                        \
    "forelock policy from-image prints a policy to begin with.")

#define FORELOCK_VERIFIER_STORE_REASONS(X)                                    \
  X(kStoreOpen, 'V', 'S', 1, "the state folder cannot be used",               \
    "Check --state; forelock-verifier init makes one.")                       \
  X(kStoreWrite, 'V', 'S', 2, "the database refused a read or write",         \
    "See the message: disk full, locked, or damaged.")                        \
  X(kRowUnauthentic, 'V', 'S', 3, "a row of the database was tampered with",  \
    "Restore the database; nothing is granted from this row.")                \
  X(kMasterKeyWrong, 'V', 'S', 4, "the master key is missing or another one", \
    "Restore master.key that belongs to this database.")                      \
  X(kNameInvalid, 'V', 'S', 5, "a name is not a path of [a-z0-9._-]",         \
    "1 to 128 bytes of [a-z0-9._/-], no empty part.")                         \
  X(kAlreadyExists, 'V', 'S', 6, "the name is taken",                         \
    "policy replace, secret replace and secret replace-disk change what is "  \
    "there.")                                                                 \
  X(kUnknownName, 'V', 'S', 7, "there is nothing of that name",               \
    "policy list, secret list, roots list and audit list show what there "    \
    "is.")                                                                    \
  X(kSecretSize, 'V', 'S', 8, "a secret is empty or over 4096 bytes",         \
    "Store a key, not a file of data.")                                       \
  X(kStoreChanged, 'V', 'S', 9,                                               \
    "policies or secrets changed while this was decided",                     \
    "The guest asks again; nothing to do.")                                   \
  X(kLuksHeader, 'V', 'S', 10, "the disk has no usable LUKS2 header",         \
    "See the message; docs/own-a-guest.md, \"The disk\", makes one that is.") \
  X(kStillInUse, 'V', 'S', 11, "secrets still depend on it",                  \
    "Remove or replace those secrets first.")                                 \
  X(kTooManySessions, 'V', 'S', 12, "as many sessions as allowed are open",   \
    "Raise --max-sessions, or find who opens them.")                          \
  X(kSessionDeadline, 'V', 'S', 13, "a session did not end by its deadline",  \
    "The guest or the proxy is stalled.")                                     \
  X(kTlsFailed, 'V', 'S', 14, "TLS failed",                                   \
    "The peer is no Forelock guest, or its image pins another key: compare "  \
    "with forelock-verifier pin.")                                            \
  X(kFrameTooLong, 'V', 'S', 15, "a message announces more than 64 KiB",      \
    "The peer does not speak the attestation protocol.")                      \
  X(kPeerClosed, 'V', 'S', 16, "the peer closed in the middle",               \
    "See the guest's console.")                                               \
  X(kShuttingDown, 'V', 'S', 17, "the server is shutting down",               \
    "The guest asks again.")                                                  \
  X(kTooManyOfSource, 'V', 'S', 18,                                           \
    "one address has as many sessions open as allowed",                       \
    "Raise --max-sessions-per-source if a proxy has that many guests.")       \
  X(kAuthoritiesUnusable, 'V', 'S', 19,                                       \
    "the folder of imported certificates cannot be used",                     \
    "See the message; a server that runs goes on with what it had.")          \
  X(kKeyDoesNotOpen, 'V', 'S', 20, "the key does not open the disk",          \
    "Give the file that cryptsetup luksFormat was given.")                    \
  X(kUnclassified, 'V', 'S', 21,                                              \
    "something failed that has no reason of its own",                         \
    "See the message: it is the system's or another library's.")              \
  X(kInputUnusable, 'V', 'S', 22, "a file cannot be read",                    \
    "Check the path, its permissions and its size.")

// What brings certificates: the key service and imports. Their letters are
// those of `forelock`, whose commands show them.
#define FORELOCK_VERIFIER_SUPPLY_REASONS(X)                                    \
  X(kKdsUrl, 'C', 'L', 10, "the base URL of the key service is of no use",     \
    "Give https://HOST or http://HOST, without user, query or fragment.")      \
  X(kKdsUnreachable, 'C', 'L', 11, "the key service cannot be reached",        \
    "Check the URL and the network; certificates from files need neither.")    \
  X(kKdsTls, 'C', 'L', 12, "the key service's TLS certificate does not hold",  \
    "Somebody is in between, or the machine lacks ca-certificates.")           \
  X(kKdsDeadline, 'C', 'L', 13, "the key service did not answer in time",      \
    "Try again later, or use a cache.")                                        \
  X(kKdsNotFound, 'C', 'L', 14, "the key service knows no such chip or TCB",   \
    "Is the product right, and the chip id not masked? See --product.")        \
  X(kKdsThrottled, 'C', 'L', 15, "the key service wants fewer requests",       \
    "Wait a minute; a --certificates folder keeps what was fetched.")          \
  X(kKdsRedirect, 'C', 'L', 16, "the key service sends to another place",      \
    "Redirects are not followed; give the place itself as the base URL.")      \
  X(kKdsStatus, 'C', 'L', 17, "the key service answered with an error",        \
    "See the status in the message; 5xx: try again later.")                    \
  X(kKdsTooLarge, 'C', 'L', 18, "the answer is larger than 64 KiB",            \
    "This is not AMD's key service.")                                          \
  X(kKdsNotCertificates, 'C', 'L', 19,                                         \
    "the key service's answer is not the certificate asked for",               \
    "This is not AMD's key service, or a portal answered instead.")            \
  X(kKdsNoProduct, 'C', 'L', 20,                                               \
    "the report does not say which product to ask for",                        \
    "Reports of version 2 do not name it: give --product.")                    \
  X(kKdsNoChip, 'C', 'L', 21,                                                  \
    "the key service has no certificate for this report's key",                \
    "A masked chip id or a VLEK: give the certificate with --certificates.")   \
  X(kKdsNotKept, 'C', 'L', 22,                                                 \
    "what the key service sent is not kept for another day",                   \
    "No accepted root vouches for it; it is judged with the report only.")     \
  X(kImportNotPinned, 'C', 'L', 25, "no pinned root comes with the files",     \
    "Give AMD's ARK too, or your own root's --root-sha256.")                   \
  X(kImportNotSigned, 'C', 'L', 26,                                            \
    "a certificate or list is not signed by the root",                         \
    "It belongs to another root, or was changed.")                             \
  X(kImportNotAuthority, 'C', 'L', 27, "a certificate is no ARK, ASK or ASVK", \
    "Leave it out: a VCEK or VLEK comes with its report.")

#define FORELOCK_VERIFIER_REASONS(X)    \
  FORELOCK_VERIFIER_EVIDENCE_REASONS(X) \
  FORELOCK_VERIFIER_POLICY_REASONS(X)   \
  FORELOCK_VERIFIER_STORE_REASONS(X)

namespace verifier {
FORELOCK_VERIFIER_REASONS(BASE_DEFINE_REASON)
FORELOCK_VERIFIER_SUPPLY_REASONS(BASE_DEFINE_REASON)
}  // namespace verifier

// SPDX-License-Identifier: Apache-2.0
#include "verifier/session/audit_record.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "nlohmann/json.hpp"
#include "sev/tcb.h"
#include "verifier/session/report_data.h"

namespace verifier {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(base::Bytes bytes) {
  return std::string(bytes.begin(), bytes.end());
}

Json FileJson(const proto::BootFile& file) {
  return {{"length", file.length},
          {"sha384", absl::StrCat("sha384:", ossl::Hex(file.sha384))}};
}

Json BootJson(const proto::BootManifest& boot) {
  Json json = {{"kernel", FileJson(boot.kernel)},
               {"initrd", FileJson(boot.initrd)},
               {"command_line", FileJson(boot.command_line)}};
  if (boot.acpi.empty()) {
    json["acpi"] = "none";
    return json;
  }
  json["acpi"] = absl::StrCat("sha384:", ossl::Hex(AcpiDigest(boot)));
  for (const proto::BootFile& file : boot.acpi) {
    Json entry = FileJson(file);
    entry["name"] = Text(file.name);
    json["acpi_files"].push_back(std::move(entry));
  }
  return json;
}

// What floors of a policy are on. `name` in the record: name_tcb, and by its
// parts in "tcb".
struct TcbField {
  const char* name;
  uint64_t (sev::UnverifiedReport::*raw)() const;
};
constexpr TcbField kTcbFields[] = {
    {"reported", &sev::UnverifiedReport::reported_tcb},
    {"committed", &sev::UnverifiedReport::committed_tcb},
    {"launch", &sev::UnverifiedReport::launch_tcb},
};

Json TcbJson(uint64_t raw, sev::Product product) {
  const sev::Tcb tcb = sev::DecodeTcb(raw, product);
  Json json;
  if (product == sev::Product::kTurin) json["fmc"] = tcb.fmc;
  json["boot_loader"] = tcb.boot_loader;
  json["tee"] = tcb.tee;
  json["snp"] = tcb.snp;
  json["microcode"] = tcb.microcode;
  return json;
}

Json ReportJson(const sev::UnverifiedReport& report,
                std::optional<sev::Product> product) {
  Json json = {
      {"measurement", ossl::Hex(report.measurement())},
      {"version", report.version()},
      {"guest_policy", absl::StrFormat("%#x", report.policy())},
      {"guest_svn", report.guest_svn()},
      {"vmpl", report.vmpl()},
      {"platform_info", absl::StrFormat("%#x", report.platform_info())},
      {"chip_id", ossl::Hex(report.chip_id())},
      {"report_id", ossl::Hex(report.report_id())},
      {"host_data", ossl::Hex(report.host_data())}};
  if (const auto cpuid = report.cpuid()) {
    json["cpuid"] =
        absl::StrFormat("family %02xh model %02xh stepping %xh", cpuid->family,
                        cpuid->model, cpuid->stepping);
  }
  for (const TcbField& field : kTcbFields) {
    const uint64_t raw = (report.*field.raw)();
    json[absl::StrCat(field.name, "_tcb")] = absl::StrFormat("%016x", raw);
    if (product) json["tcb"][field.name] = TcbJson(raw, *product);
  }
  return json;
}

// The value as text; "" for what is not there or not a scalar.
std::string Scalar(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : "";
}

void Line(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    out += absl::StrFormat("%-13s %s\n", name, hosted::Printable(value));
  }
}

void AppendReasons(const Json& detail, std::string& out) {
  const auto findings = detail.find("findings");
  if (findings == detail.end() || !findings->is_array()) return;
  for (const Json& finding : *findings) {
    const std::string seen = Scalar(finding, "detail");
    Line(out, "reason",
         absl::StrCat(Scalar(finding, "reason"), " ", Scalar(finding, "what"),
                      seen.empty() ? "" : ": ", seen));
    Line(out, "", Scalar(finding, "advice"));
  }
}

void AppendFile(const Json& boot, const char* key, std::string_view name,
                std::string& out) {
  const auto file = boot.find(key);
  if (file == boot.end()) return;
  Line(out, name,
       absl::StrCat(Scalar(*file, "sha384"), " (", Scalar(*file, "length"),
                    " bytes)"));
}

// "fmc 1, boot_loader 1, ... (5100000004010101)"
void AppendTcb(const Json& report, std::string& out) {
  for (const TcbField& field : kTcbFields) {
    const std::string key = absl::StrCat(field.name, "_tcb");
    std::string text = Scalar(report, key.c_str());
    const auto tcb = report.find("tcb");
    if (tcb != report.end() && tcb->is_object() && tcb->contains(field.name) &&
        (*tcb)[field.name].is_object()) {
      std::string parts;
      for (const auto& [part, value] : (*tcb)[field.name].items()) {
        absl::StrAppend(&parts, parts.empty() ? "" : ", ", part, " ",
                        value.is_number() ? value.dump() : "?");
      }
      text = absl::StrCat(parts, " (", text, ")");
    }
    Line(out, key, text);
  }
}

void AppendSigner(const Json& detail, std::string& out) {
  const std::string csp = Scalar(detail, "csp_id");
  Line(out, "product", Scalar(detail, "product"));
  Line(out, "signer",
       absl::StrCat(Scalar(detail, "signer"), csp.empty() ? "" : " of ", csp));
  Line(out, "root", Scalar(detail, "root"));
  if (const auto crl = detail.find("crl_checked");
      crl != detail.end() && crl->is_boolean()) {
    Line(out, "crl",
         crl->get<bool>() ? "checked, nothing revoked" : "not checked");
  }
}

void AppendSeen(const Json& detail, std::string& out) {
  if (const auto report = detail.find("report"); report != detail.end()) {
    Line(out, "measurement", Scalar(*report, "measurement"));
  }
  if (const auto boot = detail.find("boot"); boot != detail.end()) {
    AppendFile(*boot, "kernel", "kernel", out);
    AppendFile(*boot, "initrd", "initrd", out);
    AppendFile(*boot, "command_line", "command_line", out);
    Line(out, "acpi", Scalar(*boot, "acpi"));
    if (const auto files = boot->find("acpi_files"); files != boot->end()) {
      for (const Json& file : *files) {
        Line(out, "",
             absl::StrCat(Scalar(file, "name"), " ", Scalar(file, "sha384"),
                          " (", Scalar(file, "length"), " bytes)"));
      }
    }
  }
  AppendSigner(detail, out);
  if (const auto report = detail.find("report"); report != detail.end()) {
    Line(out, "chip_id", Scalar(*report, "chip_id"));
    Line(out, "cpuid", Scalar(*report, "cpuid"));
    AppendTcb(*report, out);
    for (const char* key : {"guest_policy", "platform_info", "guest_svn",
                            "vmpl", "host_data", "report_id"}) {
      Line(out, key, Scalar(*report, key));
    }
  }
}

}  // namespace

std::string ToJson(const AuditDetail& detail) {
  Json json = {{"peer", detail.peer}};
  for (const AuditDetail::Asked& asked : detail.asked) {
    json["asked"].push_back({{"path", asked.path}, {"policy", asked.policy}});
  }
  for (const Finding& finding : detail.findings) {
    const hosted::ReasonText text = TextOf(finding.reason);
    json["findings"].push_back({{"reason", ReasonCode(finding.reason)},
                                {"what", std::string(text.what)},
                                {"advice", std::string(text.advice)},
                                {"detail", finding.detail}});
  }
  if (detail.evidence.report) {
    json["report"] =
        ReportJson(*detail.evidence.report, detail.evidence.product);
  }
  if (detail.evidence.product)
    json["product"] = std::string(NameOf(*detail.evidence.product));
  if (detail.evidence.signer)
    json["signer"] = std::string(NameOf(*detail.evidence.signer));
  if (!detail.evidence.csp_id.empty()) json["csp_id"] = detail.evidence.csp_id;
  if (detail.evidence.report) json["crl_checked"] = detail.evidence.crl_checked;
  if (detail.evidence.root) {
    json["root"] = absl::StrCat("sha256:", ossl::Hex(*detail.evidence.root));
  }
  if (detail.boot) json["boot"] = BootJson(*detail.boot);
  // Replaces what is not UTF-8 instead of throwing; nothing here should be.
  return json.dump(-1, ' ', /*ensure_ascii=*/true,
                   Json::error_handler_t::replace);
}

std::string ToText(const AuditEntry& entry) {
  std::string out;
  Line(out, "decision", ossl::Hex(entry.id));
  Line(out, "time", FormatTime(entry.time_ms));
  Line(out, "outcome", entry.outcome);
  if (entry.emulated) {
    Line(out, "class",
         "EMULATED: a test root signed this evidence; it proves nothing about "
         "hardware");
  }
  Line(out, "vm", entry.vm);
  const Json detail = Json::parse(entry.detail, nullptr,
                                  /*allow_exceptions=*/false);
  if (!detail.is_object()) {
    Line(out, "detail", "damaged");
    return out;
  }
  Line(out, "peer", Scalar(detail, "peer"));
  if (const auto asked = detail.find("asked"); asked != detail.end()) {
    for (const Json& path : *asked) {
      const std::string policy = Scalar(path, "policy");
      const std::string name = Scalar(path, "path");
      Line(out, "asked for",
           absl::StrCat(name.empty() ? "no secret, only to boot" : name,
                        policy.empty() ? ", which no policy governs"
                                       : absl::StrCat(", policy ", policy)));
    }
  }
  AppendReasons(detail, out);
  if (entry.boot_counter != 0) {
    Line(out, "boot", absl::StrCat("number ", entry.boot_counter));
  }
  Line(out, "receipt", entry.receipt.empty() ? "none" : entry.receipt);
  AppendSeen(detail, out);
  return out;
}

std::string FormatTime(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

}  // namespace verifier

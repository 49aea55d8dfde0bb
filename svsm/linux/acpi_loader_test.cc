// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/acpi_loader.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/linux/acpi_tables.h"
#include "svsm/linux/fake_acpi.h"
#include "svsm/linux/reasons.h"

namespace svsm {
namespace {

constexpr uint64_t kRsdpAt = 0x1FF00000;
constexpr uint64_t kTablesAt = 0x1FE00000;
constexpr auto kTables = FakeAcpi::kTablesName;
constexpr auto kRsdp = FakeAcpi::kRsdpName;

base::Result<uint64_t> Link(FakeAcpi& acpi) {
  std::array<AcpiFile, 2> files = {
      AcpiFile{FakeAcpi::kRsdpName, acpi.rsdp, kRsdpAt},
      AcpiFile{FakeAcpi::kTablesName, acpi.tables, kTablesAt}};
  return RunAcpiLoader(acpi.loader, files);
}

base::Reason ReasonOf(FakeAcpi acpi) { return Link(acpi).status().reason(); }

uint32_t Read32(const std::vector<uint8_t>& blob, size_t at) {
  return base::LoadLe<uint32_t>(base::Bytes(blob).subspan(at).first<4>());
}

TEST(AcpiLoader, LinksTheTables) {
  FakeAcpi acpi;
  auto rsdp = Link(acpi);
  ASSERT_TRUE(rsdp.ok()) << base::NameOf(rsdp.status().reason()).text;
  EXPECT_EQ(*rsdp, kRsdpAt);
  EXPECT_EQ(Read32(acpi.rsdp, 16), kTablesAt + FakeAcpi::kRsdt);
  EXPECT_EQ(Read32(acpi.tables, FakeAcpi::kFadt + 40),
            kTablesAt + FakeAcpi::kDsdt);
  EXPECT_EQ(ByteSum(acpi.rsdp), 0);
  EXPECT_EQ(ByteSum(base::Bytes(acpi.tables).subspan(FakeAcpi::kRsdt, 44)), 0);
}

TEST(AcpiLoader, RefusesWildCommands) {
  const struct {
    const char* what;
    std::function<void(FakeAcpi&)> change;
    base::Reason reason;
  } kRows[] = {
      {"unknown", [](FakeAcpi& a) { a.Command(5); }, kLoaderCommand},
      {"unknown, high", [](FakeAcpi& a) { a.Command(0x80000001); },
       kLoaderCommand},
      {"padding that is none",
       [](FakeAcpi& a) { a.loader[a.Command(0) + 100] = 1; }, kLoaderCommand},
      {"write pointer", [](FakeAcpi& a) { a.Command(4); }, kLoaderWritePointer},
      {"half a command", [](FakeAcpi& a) { a.loader.pop_back(); }, kLoaderSize},
      {"nothing", [](FakeAcpi& a) { a.loader.clear(); }, kLoaderSize},
      {"only padding", [](FakeAcpi& a) { a.loader.assign(128, 0); },
       kLoaderOrder},
      {"allocates twice", [](FakeAcpi& a) { a.Allocate(kTables, 64, 1); },
       kLoaderOrder},
      {"allocates what is not measured",
       [](FakeAcpi& a) { a.Allocate("etc/vmgenid_guid", 16, 2); }, kLoaderFile},
      {"allocates by a longer name",
       [](FakeAcpi& a) { a.Allocate("etc/acpi/tables2", 16, 2); }, kLoaderFile},
      {"name without NUL",
       [](FakeAcpi& a) { a.Allocate(std::string(56, 'x'), 16, 2); },
       kLoaderFile},
      {"checksum outside",
       [](FakeAcpi& a) { a.AddChecksum(kTables, 1024, 0, 1); }, kLoaderRange},
      {"sum outside", [](FakeAcpi& a) { a.AddChecksum(kTables, 0, 1000, 25); },
       kLoaderRange},
      {"sum wraps",
       [](FakeAcpi& a) { a.AddChecksum(kTables, 0, 0xFFFFFFFF, 2); },
       kLoaderRange},
      {"sum huge",
       [](FakeAcpi& a) { a.AddChecksum(kTables, 0, 0, 0xFFFFFFFF); },
       kLoaderRange},
      {"pointer outside",
       [](FakeAcpi& a) { a.AddPointer(kTables, kTables, 1021, 4); },
       kLoaderRange},
      {"pointer far outside",
       [](FakeAcpi& a) { a.AddPointer(kTables, kTables, 0xFFFFFFFF, 8); },
       kLoaderRange},
      {"pointer of 3 bytes",
       [](FakeAcpi& a) { a.AddPointer(kTables, kTables, 800, 3); },
       kLoaderRange},
      {"pointer of no bytes",
       [](FakeAcpi& a) { a.AddPointer(kTables, kTables, 800, 0); },
       kLoaderRange},
      {"pointer too small for the address",
       [](FakeAcpi& a) { a.AddPointer(kTables, kTables, 800, 2); },
       kLoaderRange},
      {"pointer beyond its source",
       [](FakeAcpi& a) {
         Poke<uint32_t>(a.tables, 800, 20);
         a.AddPointer(kTables, kRsdp, 800, 4);
       },
       kLoaderRange},
      {"pointer twice, so that it leaves",
       [](FakeAcpi& a) {
         a.AddPointer(kTables, kTables, FakeAcpi::kRsdt + 36, 4);
       },
       kLoaderRange},
      {"pointer into a file unknown",
       [](FakeAcpi& a) { a.AddPointer(kTables, "etc/e820", 800, 4); },
       kLoaderFile},
  };
  for (const auto& row : kRows) {
    FakeAcpi acpi;
    row.change(acpi);
    EXPECT_EQ(ReasonOf(acpi), row.reason) << row.what;
  }
}

TEST(AcpiLoader, RefusesBadAllocations) {
  const struct {
    size_t offset;
    uint32_t value;
  } kRows[] = {{60, 0},          {60, 3}, {60, 8192},
               {60, 0x80000000}, {64, 0}, {64, 3}};
  for (const auto& row : kRows) {
    FakeAcpi acpi;
    Poke<uint8_t>(acpi.loader, 64, 0);
    Poke<uint32_t>(acpi.loader, 60, 16);
    Poke<uint8_t>(acpi.loader, 64, 2);
    if (row.offset == 64) {
      Poke<uint8_t>(acpi.loader, 64, static_cast<uint8_t>(row.value));
    } else {
      Poke<uint32_t>(acpi.loader, 60, row.value);
    }
    EXPECT_EQ(ReasonOf(acpi), kLoaderRange) << row.value;
  }
  FakeAcpi early;  // the first command no longer allocates
  early.loader.erase(early.loader.begin(), early.loader.begin() + 128);
  EXPECT_EQ(ReasonOf(early), kLoaderOrder);
  FakeAcpi late;  // it allocates when all else is done
  std::rotate(late.loader.begin(), late.loader.begin() + 128,
              late.loader.end());
  EXPECT_EQ(ReasonOf(late), kLoaderOrder);
}

// A file may come with addresses already in it; the kernel must not be led to
// tables that nobody hashed.
TEST(AcpiLoader, RefusesPointersThatLeaveTheFiles) {
  const struct {
    const char* what;
    std::function<void(FakeAcpi&)> change;
    base::Reason reason;
  } kRows[] = {
      {"RSDT entry",
       [](FakeAcpi& a) {
         // A third entry, which the loader does not know.
         Poke<uint32_t>(a.tables, FakeAcpi::kRsdt + 4, 48);
         Poke<uint32_t>(a.tables, FakeAcpi::kRsdt + 44, 0xF5000);
       },
       kAcpiTable},
      {"DSDT by its 64-bit pointer",
       [](FakeAcpi& a) {
         a.PutTable(512, "FACP", 244);
         Poke<uint64_t>(a.tables, 512 + 140, 0xF5000);
         Poke<uint32_t>(a.tables, FakeAcpi::kRsdt + 40, 512);
       },
       kAcpiTable},
      {"FACS",
       [](FakeAcpi& a) {
         a.PutTable(512, "FACP", 116);
         Poke<uint32_t>(a.tables, 512 + 36, 0xF5000);
         Poke<uint32_t>(a.tables, FakeAcpi::kRsdt + 40, 512);
       },
       kAcpiTable},
      {"half a 64-bit pointer",
       [](FakeAcpi& a) {
         a.PutTable(512, "FACP", 144);
         Poke<uint32_t>(a.tables, 512 + 140, 0xF5000);
         Poke<uint32_t>(a.tables, FakeAcpi::kRsdt + 40, 512);
       },
       kAcpiTable},
      {"table longer than its file",
       [](FakeAcpi& a) { a.PutTable(FakeAcpi::kApic, "APIC", 769); },
       kAcpiTable},
      {"table shorter than a header",
       [](FakeAcpi& a) { a.PutTable(FakeAcpi::kApic, "APIC", 35); },
       kAcpiTable},
      {"no RSDT", [](FakeAcpi& a) { a.PutTable(FakeAcpi::kRsdt, "XSDT", 44); },
       kAcpiRsdp},
      {"signature", [](FakeAcpi& a) { a.rsdp[0] = 'X'; }, kAcpiRsdp},
      {"revision 1", [](FakeAcpi& a) { a.rsdp[15] = 1; }, kAcpiRsdp},
      {"revision 2 without room", [](FakeAcpi& a) { a.rsdp[15] = 2; },
       kAcpiRsdp},
      {"RSDP's checksum",
       [](FakeAcpi& a) {
         a.AddChecksum(FakeAcpi::kRsdpName, 9, 0, 4);  // moves byte 9
       },
       kAcpiRsdp},
  };
  for (const auto& row : kRows) {
    FakeAcpi acpi;
    row.change(acpi);
    EXPECT_EQ(ReasonOf(acpi), row.reason) << row.what;
  }
}

TEST(AcpiLoader, EveryTruncationFailsOrLeavesTheKernelUnled) {
  const FakeAcpi whole;
  for (size_t size = 0; size < whole.tables.size(); ++size) {
    FakeAcpi acpi;
    acpi.tables.resize(size);
    if (size < FakeAcpi::kRsdt + 44) {
      EXPECT_FALSE(Link(acpi).ok()) << size;
    }
  }
  for (size_t size = 0; size < whole.loader.size() - 128; ++size) {
    FakeAcpi acpi;
    acpi.loader.resize(size);
    EXPECT_FALSE(Link(acpi).ok()) << size;
  }
}

TEST(AcpiLoader, BitFlipsNeverLeadOutside) {
  const FakeAcpi whole;
  for (size_t bit = 0; bit < whole.loader.size() * 8; ++bit) {
    FakeAcpi acpi;
    acpi.loader[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    auto rsdp = Link(acpi);
    if (!rsdp.ok()) continue;
    const std::array<AcpiFile, 2> files = {
        AcpiFile{FakeAcpi::kRsdpName, acpi.rsdp, kRsdpAt},
        AcpiFile{FakeAcpi::kTablesName, acpi.tables, kTablesAt}};
    EXPECT_TRUE(CheckAcpiTables(files, *rsdp).ok());
  }
}

TEST(EmptyAcpi, HasARootAndNoTables) {
  std::vector<uint8_t> page(4096, 0xAA);
  auto rsdp = WriteEmptyAcpi(page, 0x5000);
  ASSERT_TRUE(rsdp.ok());
  EXPECT_EQ(*rsdp, 0x5000u);
  const AcpiFile file{"", page, 0x5000};
  EXPECT_TRUE(CheckAcpiTables({&file, 1}, *rsdp).ok());
  EXPECT_EQ(ByteSum(base::Bytes(page).subspan(64, 36)), 0);
  page.resize(99);
  EXPECT_EQ(WriteEmptyAcpi(page, 0x5000).status().reason(), base::kBufferFull);
}

}  // namespace
}  // namespace svsm

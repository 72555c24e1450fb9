pl_unit_test(workers/test_wire LIBS pl_wire)
pl_fuzz_target(wire LIBS pl_wire)

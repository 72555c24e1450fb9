pl_unit_test(engine/net/test_loop LIBS pl_net)

"""Service catalogue and appointments (服务目录与预约): what the community offers, and a place in it."""
